// Takes the camera's own motion out of motion fields: compressed/camera.py in C++, where the algorithm is explained.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace salientclips {

// Fits and subtracts the camera's motion, one field after another; its memory is reused.
class CameraFit {
public:
    CameraFit(int rows, int columns);

    // md: planes of x and y, in and out, source pixels per frame; valid: where a cell counts. Cells that are not valid
    // come out 0.
    void remove(float* md, const std::uint8_t* valid);

private:
    struct Affine {  // x or y displacement at (u, v): constant + by_u * u + by_v * v
        double constant = 0;
        double by_u = 0;
        double by_v = 0;
    };

    void fit(std::size_t count);
    double weigh(std::size_t count);
    bool solve(std::size_t count, double scale_px);

    int rows_;
    int columns_;
    std::vector<double> column_places_;  // u of each column, v of each row: -1 to 1 along the longer side
    std::vector<double> row_places_;
    // Of the valid cells, one after the other:
    std::vector<std::size_t> cells_;
    std::vector<double> x_, y_, u_, v_, squares_;
    std::vector<double> sorted_;
    Affine along_x_;
    Affine along_y_;
};

}  // namespace salientclips
