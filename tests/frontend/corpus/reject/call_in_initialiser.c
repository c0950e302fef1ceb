// expect: rule=call line=5 column=43 stage=check
// signature: scalar
double scalar(double x, double y)
{
    struct { double v[2]; } s = {.v = {x, drand48()}};
    return s.v[0];
}
