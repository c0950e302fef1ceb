// expect: rule=directive line=4 column=1 stage=read
// signature: scalar
static const unsigned char t[] = {
#embed "/etc/hostname"
};
double scalar(double x, double y)
{
    return t[0];
}
