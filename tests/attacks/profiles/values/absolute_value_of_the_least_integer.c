// The least integer has no absolute value of its type.
// signature: int k(int a)
// arguments: -2147483648
// safe: value -2147483648
// checked: panic overflow
int k(int a) { return abs(a); }
