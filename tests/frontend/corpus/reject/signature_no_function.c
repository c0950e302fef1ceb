// expect: rule=signature line=3 column=18 stage=check
// signature: scalar
static const int unused = 3;
