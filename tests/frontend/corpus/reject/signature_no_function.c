// expect: rule=signature line=0 column=0 stage=check
// signature: scalar
static const int unused = 3;
