// signature: scalar
// call: (0.0, 0.0) -> 20455.0
double scalar(double x, double y)
{
    int a = 7, b = 3, c = a++ + ++b, d = a-- - --b;
    a += 2, b -= 1, c *= 2, d <<= 3; c %= 13; a ^= b; a |= 8; b &= 6; d >>= 1; c /= 2;
    return a + 10 * b + 100 * c + 1000 * d + ((a > b && b < c) || !d) - ~a + - -a - (-(-b)) + (a, b);
}
