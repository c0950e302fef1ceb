// How many elements there are is nothing divided by nothing.
// signature: int k(int a)
// arguments: 3000000
// expect: panic index
struct Z { int a[0]; }; int k(int a) { struct Z z[] = {{}, {}}; struct Z q = z[a]; return 1; }
