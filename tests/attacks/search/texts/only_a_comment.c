// only a comment
// kernel: dot
// expect: status=REJECTED rule=signature line=0
/* nothing */ // at all

