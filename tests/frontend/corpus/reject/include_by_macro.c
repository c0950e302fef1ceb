// expect: rule=include line=4 column=1 stage=read
// signature: scalar
#define WHERE "/etc/passwd"
#include WHERE
double scalar(double x, double y)
{
    return x;
}
