// The loop is made of one jump and has no condition.
// signature: int k(int i)
// arguments: 1
// safe: panic interrupted
// checked: panic endless 1:16
int k(int i) { L: goto L; }
