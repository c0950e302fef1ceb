// expect: rule=directive line=3 column=5 stage=read
// signature: scalar
#if __has_include("/etc/passwd")
#endif
double scalar(double x, double y)
{
    return x;
}
