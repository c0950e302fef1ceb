// expect: rule=pragma line=3 column=1 stage=read
// signature: scalar
#pragma GCC dependency "/etc/passwd"
double scalar(double x, double y)
{
    return x;
}
