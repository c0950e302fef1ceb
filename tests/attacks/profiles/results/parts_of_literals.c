// A part of a literal of structs, or of long doubles, is an array again, or is asked for its address.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 34447.0
struct P { double a, b; };
struct S { struct P in[2]; };
double k(int64_t n, double x[n])
{
    const struct P *p = ((struct P[2][2]){{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}})[n > 3];
    const struct P *q = ((struct S[2]){{{{1, 2}, {3, 4}}}, {{{1, 2}, {3, 4}}}})[1].in;
    const long double *l = ((long double[2][2]){{1, 2}, {3, 4}})[1];
    const struct P *o = &(((struct P[2][2]){{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}})[0])[1];
    const struct P *v = &((struct P[3]){{1, 2}, {3, 4}})[1];
    return p[1].a + q[1].b * 10 + l[1] * 100 + o->b * 1000 + v->a * 10000;
}
