// The member is a typedef's name alone, which for standard C declares no member and for extensions all of them.
// signature: double k(int64_t i)
// arguments: 700000
// expect: refused | panic index
typedef struct { char a[800000]; } T; struct S { T; char a[2]; }; double k(int64_t i) { struct S s; s.a[(int64_t)i] = 1; return s.a[(int64_t)i] + s.a[0]; }
