// signature: scalar
// call: (1.0, 2.0) -> 3.0
/**/ // /* not open
/* // */ /* " ' */
double scalar(double x, double y)
{
    /* block
       of two lines */ return x /* inside */ + y; // to the end \
    of two lines too
}
