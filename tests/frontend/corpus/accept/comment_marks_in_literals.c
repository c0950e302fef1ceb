// signature: scalar
// call: (1.0, 2.0) -> 2.0
double scalar(double x, double y)
{
    const char *s = "/* no */ // no";
    return s[0] == '/' && s[8] == '/' && '\'' != '"' ? x : y;
}
