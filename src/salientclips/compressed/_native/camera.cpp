// Reweighted least squares on one field; see the header. Sums are taken in the order of the cells, on one thread, so
// that the result depends on the field alone.
#include "camera.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

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
constexpr std::size_t kBins = 4096;
std::size_t bin_of(double value) {
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
    return (bits & 0x80000000U ? ~bits : bits | 0x80000000U) >> 20;
}

// The two middle values (the same one twice where their number is odd) in time linear in their number: a histogram
// says in which bin they are, and only that bin is sorted out.
std::array<double, 2> middle_values(const double* values, std::size_t count, std::vector<double>& scratch) {
    std::array<std::uint32_t, kBins> histogram{};
    for (std::size_t i = 0; i < count; ++i) ++histogram[bin_of(values[i])];
    const auto nth = [&](std::size_t rank) {
        std::size_t bin = 0;
        while (rank >= histogram[bin]) rank -= histogram[bin++];
        scratch.clear();
        for (std::size_t i = 0; i < count; ++i) {
            if (bin_of(values[i]) == bin) scratch.push_back(values[i]);
        }
        const auto at = scratch.begin() + static_cast<std::ptrdiff_t>(rank);
        std::nth_element(scratch.begin(), at, scratch.end());
        return *at;
    };
    const double upper = nth(count / 2);
    if (count % 2 != 0) return {upper, upper};
    return {nth(count / 2 - 1), upper};
}

double median(const double* values, std::size_t count, std::vector<double>& scratch) {
    const auto [lower, upper] = middle_values(values, count, scratch);
    return (lower + upper) / 2;
}

}  // namespace

CameraFit::CameraFit(int rows, int columns) : rows_(rows), columns_(columns) {
    const double half = std::max(rows, columns) / 2.0;
    for (int c = 0; c < columns; ++c) column_places_.push_back((c - (columns - 1) / 2.0) / half);
    for (int r = 0; r < rows; ++r) row_places_.push_back((r - (rows - 1) / 2.0) / half);
    const auto count = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
    for (auto* list : {&x_, &y_, &u_, &v_, &squares_}) list->resize(count);
    cells_.resize(count);
    sorted_.reserve(count);
}

void CameraFit::remove(float* md, const std::uint8_t* valid) {
    const std::size_t plane = cells_.size();
    std::size_t count = 0;
    std::size_t at = 0;
    for (const double v : row_places_) {
        for (const double u : column_places_) {
            if (valid[at] != 0) {
                cells_[count] = at;
                x_[count] = static_cast<double>(md[at]);
                y_[count] = static_cast<double>(md[plane + at]);
                u_[count] = u;
                v_[count] = v;
                ++count;
            }
            ++at;
        }
    }
    std::fill(md, md + 2 * plane, 0.0F);
    if (count == 0) return;
    const double middle_x = median(x_.data(), count, sorted_);
    const double middle_y = median(y_.data(), count, sorted_);
    for (std::size_t i = 0; i < count; ++i) x_[i] -= middle_x;
    for (std::size_t i = 0; i < count; ++i) y_[i] -= middle_y;
    along_x_ = along_y_ = Affine{};
    if (count >= kMinCellsAffine) fit(count);
    for (std::size_t i = 0; i < count; ++i) {
        const double x = along_x_.constant + along_x_.by_u * u_[i] + along_x_.by_v * v_[i];
        const double y = along_y_.constant + along_y_.by_u * u_[i] + along_y_.by_v * v_[i];
        md[cells_[i]] = static_cast<float>(x_[i] - x);
        md[plane + cells_[i]] = static_cast<float>(y_[i] - y);
    }
}

void CameraFit::fit(std::size_t count) {
    for (int i = 0; i < kIterations; ++i) {
        if (!solve(count, weigh(count))) return;
    }
}

// Squared distances of the cells from the field so far, and the spread that counts as noise.
double CameraFit::weigh(std::size_t count) {
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
    const auto [lower, upper] = middle_values(squares, count, sorted_);
    return std::max(kDeviationToSigma * (std::sqrt(lower) + std::sqrt(upper)) / 2, kScaleFloorPx);
}

// Weighted normal equations by Cramer's rule: three unknowns, for x and for y.
bool CameraFit::solve(std::size_t count, double scale_px) {
    const double reach = kTukey * scale_px;
    const double of_square = 1 / (reach * reach);
    std::array<double, 6> s{0, 0, 0, kRidge, 0, kRidge};  // 1, u, v, uu, uv, vv
    std::array<double, 6> t{};                            // x, xu, xv, y, yu, yv
    for (std::size_t i = 0; i < count; ++i) {
        const double inside = std::max(1 - squares_[i] * of_square, 0.0);
        const double weight = inside * inside;
        const double u = u_[i];
        const double v = v_[i];
        const double wu = weight * u;
        const double wv = weight * v;
        s[0] += weight;
        s[1] += wu;
        s[2] += wv;
        s[3] += wu * u;
        s[4] += wu * v;
        s[5] += wv * v;
        t[0] += weight * x_[i];
        t[1] += wu * x_[i];
        t[2] += wv * x_[i];
        t[3] += weight * y_[i];
        t[4] += wu * y_[i];
        t[5] += wv * y_[i];
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
