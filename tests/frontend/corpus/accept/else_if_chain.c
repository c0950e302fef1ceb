// signature: scalar
// call: (6.0, 0.0) -> 36.0
// call: (39.0, 0.0) -> 1521.0
// call: (-1.0, 1.0) -> -1.0
// call: (-1.0, 0.0) -> -2.0
double scalar(double x, double y)
{
    if (x == 0)
        return 0;
    else if (x == 1)
        return 1;
    else if (x == 2)
        return 4;
    else if (x == 3)
        return 9;
    else if (x == 4)
        return 16;
    else if (x == 5)
        return 25;
    else if (x == 6)
        return 36;
    else if (x == 7)
        return 49;
    else if (x == 8)
        return 64;
    else if (x == 9)
        return 81;
    else if (x == 10)
        return 100;
    else if (x == 11)
        return 121;
    else if (x == 12)
        return 144;
    else if (x == 13)
        return 169;
    else if (x == 14)
        return 196;
    else if (x == 15)
        return 225;
    else if (x == 16)
        return 256;
    else if (x == 17)
        return 289;
    else if (x == 18)
        return 324;
    else if (x == 19)
        return 361;
    else if (x == 20)
        return 400;
    else if (x == 21)
        return 441;
    else if (x == 22)
        return 484;
    else if (x == 23)
        return 529;
    else if (x == 24)
        return 576;
    else if (x == 25)
        return 625;
    else if (x == 26)
        return 676;
    else if (x == 27)
        return 729;
    else if (x == 28)
        return 784;
    else if (x == 29)
        return 841;
    else if (x == 30)
        return 900;
    else if (x == 31)
        return 961;
    else if (x == 32)
        return 1024;
    else if (x == 33)
        return 1089;
    else if (x == 34)
        return 1156;
    else if (x == 35)
        return 1225;
    else if (x == 36)
        return 1296;
    else if (x == 37)
        return 1369;
    else if (x == 38)
        return 1444;
    else if (x == 39)
        return 1521;
    else if (y > 0)
        return -1;
    return -2;
}
