// expect: rule=pragma line=3 column=1 stage=read
// signature: scalar
#pragma pack(1)
double scalar(double x, double y)
{
    return x;
}
