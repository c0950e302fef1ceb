// expect: rule=compiler line=6 column=10 stage=lower in=canonical
// signature: scalar
static void h(void) { }
double scalar(double x, double y)
{
    return h();
}
