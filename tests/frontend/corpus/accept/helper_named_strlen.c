// signature: scalar
// call: (2.0, 0.0) -> 9.0
static size_t strlen(const char *s) { return s[0] == 'a' ? 7 : 8; }
double scalar(double x, double y)
{
    return strlen("abc") + x;
}
