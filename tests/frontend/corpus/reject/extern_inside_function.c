// expect: rule=extern line=5 column=18 stage=check
// signature: scalar
double scalar(double x, double y)
{
    extern char **environ;
    return environ != 0;
}
