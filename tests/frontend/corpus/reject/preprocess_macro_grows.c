// expect: rule=too-large line=0 column=0 stage=preprocess
// signature: scalar
#define A0 x + x + x + x + x + x + x + x
#define A1 A0 + A0 + A0 + A0 + A0 + A0 + A0 + A0
#define A2 A1 + A1 + A1 + A1 + A1 + A1 + A1 + A1
#define A3 A2 + A2 + A2 + A2 + A2 + A2 + A2 + A2
#define A4 A3 + A3 + A3 + A3 + A3 + A3 + A3 + A3
double scalar(double x, double y)
{
    return A4;
}
