// expect: rule=mutable-static line=3 column=45 stage=check
// signature: scalar
static const struct { int *kept; } state = {(int[]){1, 2}};
double scalar(double x, double y)
{
    return state.kept[0]++;
}
