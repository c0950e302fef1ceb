// expect: rule=mutable-static line=3 column=26 stage=check
// signature: scalar
static int *const kept = (int[]){1, 2};
double scalar(double x, double y)
{
    return kept[0]++;
}
