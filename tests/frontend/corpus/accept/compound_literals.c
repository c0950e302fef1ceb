// signature: scalar
// call: (1.0, 0.0) -> 19.0
double scalar(double x, double y)
{
    double *p = (double[]){x, y, 3.0};
    struct point { double x, y; } q = (struct point){.y = 2.0};
    return p[0] + p[2] * q.y + (int){7} + sizeof((char[5]){0});
}
