// Reweighted least squares on one field; see the header. Sums are taken in the order of the cells, on one thread, so
// that the result depends on the field alone.
#include "camera.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>

namespace salientclips {
namespace {

// The constants of compressed/camera.py.
constexpr std::size_t kMinCellsAffine = 24;
constexpr int kIterations = 6;
constexpr double kScaleFloorPx = 0.25;
constexpr double kTukey = 4.685;
constexpr double kDeviationToSigma = 1.4826;
constexpr double kRidge = 1e-3;

// Numbers in the order of the values, coarse: sign, exponent and three bits more of a float.
std::uint16_t bin_of(double value) {
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
    const std::uint32_t flip = (0U - (bits >> 31)) | 0x80000000U;  // all bits of a negative number, the sign of another
    return static_cast<std::uint16_t>((bits ^ flip) >> 20);
}

}  // namespace

// A histogram says in which bin the upper middle lies; only the values of that bin are put in order. The lower one is
// the largest of those before it, which lie in the same bin or, where there are none, in the next one below that has any.
std::pair<double, double> Middle::of(const double* values, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) bins_[i] = bin_of(values[i]);
    histogram_.fill(0);
    for (std::size_t i = 0; i < count; ++i) ++histogram_[bins_[i]];
    std::size_t rank = count / 2;
    std::size_t bin = bin_of_rank(rank);
    // NaN last: an order that contradicts itself would lead nth_element out of the list.
    const auto before = [](double a, double b) { return a < b || (b != b && a == a); };
    const auto begin = values_.begin();
    const auto at = begin + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(begin, at, begin + gather(values, count, bin), before);
    const double upper = *at;
    if (count % 2 != 0) return {upper, upper};
    if (rank != 0) return {*std::max_element(begin, at, before), upper};
    do --bin;
    while (histogram_[bin] == 0);
    return {*std::max_element(begin, begin + gather(values, count, bin), before), upper};
}

// The bin of a rank; the rank becomes that within the bin. Most bins are empty, so they are passed many at a time.
std::size_t Middle::bin_of_rank(std::size_t& rank) const {
    constexpr std::size_t kMany = 16;
    std::size_t bin = 0;
    for (;;) {
        const auto from = histogram_.begin() + static_cast<std::ptrdiff_t>(bin);
        const std::uint32_t many = std::accumulate(from, from + kMany, std::uint32_t{0});
        if (rank < many) break;
        rank -= many;
        bin += kMany;
    }
    while (rank >= histogram_[bin]) rank -= histogram_[bin++];
    return bin;
}

// The values of a bin into the beginning of values_; returns their number.
std::ptrdiff_t Middle::gather(const double* values, std::size_t count, std::size_t bin) {
    std::size_t found = 0;
    for (std::size_t i = 0; i < count; ++i) {
        values_[found] = values[i];
        found += bins_[i] == bin ? 1 : 0;
    }
    return static_cast<std::ptrdiff_t>(found);
}

CameraFit::CameraFit(int rows, int columns)
    : row_ends_(static_cast<std::size_t>(rows)), cells_(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns)),
      middle_(cells_.size()) {
    const double half = std::max(rows, columns) / 2.0;
    for (int c = 0; c < columns; ++c) column_places_.push_back((c - (columns - 1) / 2.0) / half);
    for (int r = 0; r < rows; ++r) row_places_.push_back((r - (rows - 1) / 2.0) / half);
    for (auto* list : {&x_, &y_, &u_, &v_, &squares_}) list->resize(cells_.size());
}

// Takes the valid cells out of a field; returns their number.
std::size_t CameraFit::gather(const float* md, const std::uint8_t* valid) {
    const std::size_t plane = cells_.size();
    std::size_t count = 0;
    std::size_t at = 0;
    for (std::size_t row = 0; row < row_places_.size(); ++row) {
        for (const double u : column_places_) {
            if (valid[at] != 0) {
                cells_[count] = at;
                x_[count] = static_cast<double>(md[at]);
                y_[count] = static_cast<double>(md[plane + at]);
                u_[count] = u;
                v_[count] = row_places_[row];
                ++count;
            }
            ++at;
        }
        row_ends_[row] = count;
    }
    return count;
}

void CameraFit::remove(float* md, const std::uint8_t* valid) {
    const std::size_t plane = cells_.size();
    const std::size_t count = gather(md, valid);
    std::fill(md, md + 2 * plane, 0.0F);
    if (count == 0) return;
    for (double* const values : {x_.data(), y_.data()}) {
        const auto [lower, upper] = middle_.of(values, count);
        const double middle = (lower + upper) / 2;
        for (std::size_t i = 0; i < count; ++i) values[i] -= middle;
    }
    along_x_ = along_y_ = Affine{};
    for (int i = 0; i < kIterations && count >= kMinCellsAffine; ++i) {
        if (!solve(spread_px(count))) break;
    }
    for (std::size_t i = 0; i < count; ++i) {
        const double x = along_x_.constant + along_x_.by_u * u_[i] + along_x_.by_v * v_[i];
        const double y = along_y_.constant + along_y_.by_u * u_[i] + along_y_.by_v * v_[i];
        md[cells_[i]] = static_cast<float>(x_[i] - x);
        md[plane + cells_[i]] = static_cast<float>(y_[i] - y);
    }
}

// Squared distances of the cells from the field so far into squares_; returns the spread that counts as noise.
double CameraFit::spread_px(std::size_t count) {
    const Affine a = along_x_;
    const Affine b = along_y_;
    const double* const x = x_.data();
    const double* const y = y_.data();
    const double* const u = u_.data();
    const double* const v = v_.data();
    double* const squares = squares_.data();
    for (std::size_t i = 0; i < count; ++i) {
        const double dx = x[i] - (a.constant + a.by_u * u[i] + a.by_v * v[i]);
        const double dy = y[i] - (b.constant + b.by_u * u[i] + b.by_v * v[i]);
        squares[i] = dx * dx + dy * dy;
    }
    // The square root keeps the order, so that the middle distance is that of the middle square.
    const auto [lower, upper] = middle_.of(squares, count);
    return std::max(kDeviationToSigma * (std::sqrt(lower) + std::sqrt(upper)) / 2, kScaleFloorPx);
}

// Weighted normal equations by Cramer's rule: three unknowns, for x and for y. In a row of cells v is constant, so that
// its products are made once a row.
bool CameraFit::solve(double spread_px) {
    const double reach = kTukey * spread_px;
    const double of_square = 1 / (reach * reach);
    std::array<double, 6> s{0, 0, 0, kRidge, 0, kRidge};  // 1, u, v, uu, uv, vv
    std::array<double, 6> t{};                            // x, xu, xv, y, yu, yv
    std::size_t i = 0;
    for (std::size_t row = 0; row < row_ends_.size(); ++row) {
        double w = 0, wu = 0, wuu = 0, wx = 0, wux = 0, wy = 0, wuy = 0;
        for (; i < row_ends_[row]; ++i) {
            const double inside = std::max(1 - squares_[i] * of_square, 0.0);
            const double weight = inside * inside;
            const double weight_u = weight * u_[i];
            w += weight;
            wu += weight_u;
            wuu += weight_u * u_[i];
            wx += weight * x_[i];
            wux += weight_u * x_[i];
            wy += weight * y_[i];
            wuy += weight_u * y_[i];
        }
        const double v = row_places_[row];
        const std::array<double, 6> places{w, wu, w * v, wuu, wu * v, w * v * v};
        const std::array<double, 6> motion{wx, wux, wx * v, wy, wuy, wy * v};
        for (std::size_t k = 0; k < 6; ++k) {
            s[k] += places[k];
            t[k] += motion[k];
        }
    }
    const double c00 = s[3] * s[5] - s[4] * s[4];
    const double c01 = s[2] * s[4] - s[1] * s[5];
    const double c02 = s[1] * s[4] - s[2] * s[3];
    const double c11 = s[0] * s[5] - s[2] * s[2];
    const double c12 = s[1] * s[2] - s[0] * s[4];
    const double c22 = s[0] * s[3] - s[1] * s[1];
    const double whole = s[0] * c00 + s[1] * c01 + s[2] * c02;
    if (!(whole > 0)) return false;
    const auto answer = [&](const double* r) {
        return Affine{(c00 * r[0] + c01 * r[1] + c02 * r[2]) / whole, (c01 * r[0] + c11 * r[1] + c12 * r[2]) / whole,
                      (c02 * r[0] + c12 * r[1] + c22 * r[2]) / whole};
    };
    along_x_ = answer(t.data());
    along_y_ = answer(t.data() + 3);
    return true;
}

}  // namespace salientclips
