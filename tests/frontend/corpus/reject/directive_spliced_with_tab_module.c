// expect: rule=directive|character line=4 stage=read
// signature: scalar
#define ONE 1
%\	
:pragma clang module import std
double scalar(double x, double y)
{
    return ONE;
}
