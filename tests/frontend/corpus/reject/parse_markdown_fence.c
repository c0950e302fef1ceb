// expect: rule=syntax line=3 column=1 stage=parse
// signature: scalar
```c
double scalar(double x, double y)
{
    return x;
}
```
