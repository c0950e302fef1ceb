// signature: scalar
// call: (1.0, 2.0) -> 1.0
;
struct unused;
enum { NOTHING };
;
double scalar(double x, double y)
{
    ;;;
    { }
    if (x > y) ; else ;
    return x;
}
