// Takes the camera's own motion out of motion fields: compressed/camera.py in C++, where the algorithm is explained.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace salientclips {

// Finds the middle of many values in time linear in their number.
class Middle {
public:
    explicit Middle(std::size_t most) : bins_(most), values_(most) {}

    // The two middle values, the same one twice where their number is odd; there is at least one.
    std::pair<double, double> of(const double* values, std::size_t count);

private:
    std::size_t bin_of_rank(std::size_t& rank) const;
    std::ptrdiff_t gather(const double* values, std::size_t count, std::size_t bin);

    std::vector<std::uint16_t> bins_;
    std::vector<double> values_;
    std::array<std::uint32_t, 4096> histogram_{};
};

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

    std::size_t gather(const float* md, const std::uint8_t* valid);
    double spread_px(std::size_t count);
    bool solve(double spread_px);

    std::vector<double> column_places_;  // u of each column, v of each row: -1 to 1 along the longer side
    std::vector<double> row_places_;
    std::vector<std::size_t> row_ends_;  // number of valid cells up to the end of each row
    // Of the valid cells, one after the other:
    std::vector<std::size_t> cells_;
    std::vector<double> x_, y_, u_, v_, squares_;
    Middle middle_;
    Affine along_x_;
    Affine along_y_;
};

}  // namespace salientclips
