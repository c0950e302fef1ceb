"""Numba's scalar types under the short names that annotations use."""

from numba import complex64 as c64
from numba import complex128 as c128
from numba import float32 as f32
from numba import float64 as f64
from numba import int8 as i8
from numba import int16 as i16
from numba import int32 as i32
from numba import int64 as i64
from numba import uint8 as u8
from numba import uint16 as u16
from numba import uint32 as u32
from numba import uint64 as u64

__all__ = ["c64", "c128", "f32", "f64", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"]
