// expect: rule=attribute line=3 column=1 stage=check
// signature: scalar
__declspec(dllexport) double scalar(double x, double y) { return x; }
