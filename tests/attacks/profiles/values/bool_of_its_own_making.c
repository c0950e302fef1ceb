// The candidate makes bools of any byte through a pointer to char and uses them as indices.
// signature: double k(int64_t i)
// arguments: 200
// expect: contained
double k(int64_t i){ double t[2] = {1, 2}, r = 0; bool b[256]; unsigned char *c = (unsigned char *)b; for (int64_t j = 0; j < 256; j++) c[j] = i + j; for (int j = 0; j < 256; j++) { t[b[j]] += j; r += t[b[255 - j]]; } return r; }
