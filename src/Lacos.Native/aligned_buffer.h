// A growing, uninitialised, cache-line aligned array. Large ones ask for huge pages.
#ifndef LACOS_ALIGNED_BUFFER_H_
#define LACOS_ALIGNED_BUFFER_H_

#include <cstddef>
#include <utility>

namespace lacos {

// Throws Error LACOS_OUT_OF_MEMORY.
void* AllocateAligned(size_t bytes);
void FreeAligned(void* memory);

template <class T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t count) { Reserve(count); }
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  ~AlignedBuffer() { FreeAligned(data_); }

  // Makes room for `count` elements; what was there is lost when it has to grow.
  void Reserve(size_t count) {
    if (count <= count_) return;
    const size_t bytes = count <= static_cast<size_t>(-1) / sizeof(T) ? count * sizeof(T) : static_cast<size_t>(-1);
    FreeAligned(data_);
    data_ = nullptr;
    count_ = 0;
    data_ = static_cast<T*>(AllocateAligned(bytes));
    count_ = count;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  size_t count() const { return count_; }
  size_t bytes() const { return count_ * sizeof(T); }

 private:
  T* data_ = nullptr;
  size_t count_ = 0;
};

}  // namespace lacos

#endif  // LACOS_ALIGNED_BUFFER_H_
