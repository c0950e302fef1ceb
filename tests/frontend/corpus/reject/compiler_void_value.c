// expect: rule=compiler line=6 column=12 stage=lower
// signature: scalar
static void h(void) { }
double scalar(double x, double y)
{
    return h();
}
