// An enumeration with a negative enumerator is signed.
// signature: int k(int a)
// arguments: -10
// expect: value -5
enum E { M = -1, Z }; int k(int a) { enum E e = (enum E)a; return e / 2; }
