// expect: rule=attribute line=3 column=23 stage=check
// signature: scalar
_Noreturn static void h(void);
static void h(void) { }
double scalar(double x, double y)
{
    h();
    return x;
}
