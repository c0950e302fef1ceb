// expect: rule=directive line=3 column=14 stage=read
// signature: scalar
#define LOOK __has_include
#if LOOK("/etc/passwd")
#endif
double scalar(double x, double y)
{
    return x;
}
