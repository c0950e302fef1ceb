// expect: rule=redefined line=3 column=12 stage=check
// signature: scalar
static int bcmp(const void *a, const void *b, size_t n)
{
    return 1;
}
double scalar(double x, double y)
{
    return (memcmp(&x, &y, 8) == 0) + bcmp(&x, &y, 8);
}
