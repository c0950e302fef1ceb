// signature: scalar
// call: (4.0, 0.0) -> 1111.0
// call: (6.0, 0.0) -> 2211.0
double scalar(double x, double y)
{
    int n = (int)x, i = 0, s = 0;
    switch (n % 4) {
    case 0: do { s += 1; i++;
    case 3:      s += 10; i++;
    case 2:      s += 100; i++;
    case 1:      s += 1000; i++;
            } while (i < n);
    }
    return s;
}
