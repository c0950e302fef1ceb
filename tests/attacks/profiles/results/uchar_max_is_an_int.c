// The limits of narrow types are ints, so the division is signed.
// signature: int k(int a)
// arguments: -1000
// expect: value -1003
int k(int a) { return a / UCHAR_MAX + a % UINT16_MAX; }
