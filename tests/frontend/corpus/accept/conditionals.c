// signature: scalar
// call: (2.0, 3.0) -> 2.0
#define FAST 1
#if FAST && !defined(SLOW)
double scalar(double x, double y)
{
    return x;
}
#elif 1
this is not C
#else
neither is this
#endif
#ifdef FAST
#else
#error not fast
#endif
#ifndef FAST
#error not fast
#endif
