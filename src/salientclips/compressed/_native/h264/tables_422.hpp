// CAVLC codes of the chroma DC block of 4:2:2, which tables_generated.hpp lacks: ITU-T H.264 Table 9-5, column nC = -2, and
// Table 9-9 (b). The static assertions of cavlc.cpp check that they are prefix-free.
#pragma once

#include "tables_generated.hpp"

namespace salientclips::h264::tables {

// Value: total_coeff * 4 + trailing_ones.
inline constexpr Code kCoeffTokenChromaDc422[] = {
    {1, 1, 0},     {7, 15, 4},   {2, 1, 5},    {7, 14, 8},   {7, 13, 9},   {3, 1, 10},   {9, 7, 12},
    {7, 12, 13},   {7, 11, 14},  {5, 1, 15},   {9, 6, 16},   {9, 5, 17},   {7, 10, 18},  {6, 1, 19},
    {10, 7, 20},   {10, 6, 21},  {9, 4, 22},   {7, 9, 23},   {11, 7, 24},  {11, 6, 25},  {10, 5, 26},
    {7, 8, 27},    {12, 7, 28},  {12, 6, 29},  {11, 5, 30},  {10, 4, 31},  {13, 7, 32},  {12, 5, 33},
    {12, 4, 34},   {11, 4, 35}};
inline constexpr Code kTotalZerosChromaDc422_1[] = {{1, 1, 0}, {3, 2, 1}, {3, 3, 2}, {4, 2, 3},
                                                    {4, 3, 4}, {4, 1, 5}, {5, 1, 6}, {5, 0, 7}};
inline constexpr Code kTotalZerosChromaDc422_2[] = {{3, 0, 0}, {2, 1, 1}, {3, 1, 2}, {3, 4, 3},
                                                    {3, 5, 4}, {3, 6, 5}, {3, 7, 6}};
inline constexpr Code kTotalZerosChromaDc422_3[] = {{3, 0, 0}, {3, 1, 1}, {2, 1, 2}, {2, 2, 3}, {3, 6, 4}, {3, 7, 5}};
inline constexpr Code kTotalZerosChromaDc422_4[] = {{3, 6, 0}, {2, 0, 1}, {2, 1, 2}, {2, 2, 3}, {3, 7, 4}};
inline constexpr Code kTotalZerosChromaDc422_5[] = {{2, 0, 0}, {2, 1, 1}, {2, 2, 2}, {2, 3, 3}};
inline constexpr Code kTotalZerosChromaDc422_6[] = {{2, 0, 0}, {2, 1, 1}, {1, 1, 2}};
inline constexpr Code kTotalZerosChromaDc422_7[] = {{1, 0, 0}, {1, 1, 1}};

}  // namespace salientclips::h264::tables
