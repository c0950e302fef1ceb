// expect: rule=syntax line=3 column=1 stage=parse
// signature: scalar
Here is the function you asked for.
