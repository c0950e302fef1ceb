// expect: rule=directive|character line=5 stage=read
// signature: scalar
#define ONE 1
static const unsigned char t[] = {
%\ 
:embed "/etc/hostname"
};
double scalar(double x, double y)
{
    return t[0];
}
