// A cast asks of forty nested unions whether one of them has a long double.
// signature: int64_t k(int64_t i)
// arguments: 1
// expect: value 0
union U0 { double a; char c; };
union U1 { union U0 a; union U0 b; };
union U2 { union U1 a; union U1 b; };
union U3 { union U2 a; union U2 b; };
union U4 { union U3 a; union U3 b; };
union U5 { union U4 a; union U4 b; };
union U6 { union U5 a; union U5 b; };
union U7 { union U6 a; union U6 b; };
union U8 { union U7 a; union U7 b; };
union U9 { union U8 a; union U8 b; };
union U10 { union U9 a; union U9 b; };
union U11 { union U10 a; union U10 b; };
union U12 { union U11 a; union U11 b; };
union U13 { union U12 a; union U12 b; };
union U14 { union U13 a; union U13 b; };
union U15 { union U14 a; union U14 b; };
union U16 { union U15 a; union U15 b; };
union U17 { union U16 a; union U16 b; };
union U18 { union U17 a; union U17 b; };
union U19 { union U18 a; union U18 b; };
union U20 { union U19 a; union U19 b; };
union U21 { union U20 a; union U20 b; };
union U22 { union U21 a; union U21 b; };
union U23 { union U22 a; union U22 b; };
union U24 { union U23 a; union U23 b; };
union U25 { union U24 a; union U24 b; };
union U26 { union U25 a; union U25 b; };
union U27 { union U26 a; union U26 b; };
union U28 { union U27 a; union U27 b; };
union U29 { union U28 a; union U28 b; };
union U30 { union U29 a; union U29 b; };
union U31 { union U30 a; union U30 b; };
union U32 { union U31 a; union U31 b; };
union U33 { union U32 a; union U32 b; };
union U34 { union U33 a; union U33 b; };
union U35 { union U34 a; union U34 b; };
union U36 { union U35 a; union U35 b; };
union U37 { union U36 a; union U36 b; };
union U38 { union U37 a; union U37 b; };
union U39 { union U38 a; union U38 b; };
union U40 { union U39 a; union U39 b; };
int64_t k(int64_t i) { union U40 *p = (union U40 *)&i; return p == 0; }
