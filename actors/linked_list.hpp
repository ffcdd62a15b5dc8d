#pragma once

namespace callboard {

/// Where an element stands in one of the lists that it is in.
template <class T>
struct list_links {
  T* previous = nullptr;
  T* next = nullptr;
};

/// A list through a member of its elements, which it does not own.
template <class T, list_links<T> T::*Links>
class linked_list {
public:
  [[nodiscard]] bool empty() const noexcept {
    return first_ == nullptr;
  }

  /// Returns the first element, or null. The next one is `(x->*Links).next`.
  [[nodiscard]] T* first() const noexcept {
    return first_;
  }

  /// Returns the last element, or null.
  [[nodiscard]] T* last() const noexcept {
    return last_;
  }

  void push_front(T& x) noexcept {
    (x.*Links) = {nullptr, first_};
    if (first_ != nullptr)
      (first_->*Links).previous = &x;
    else
      last_ = &x;
    first_ = &x;
  }

  /// Removes `x`, which is in this list.
  void erase(T& x) noexcept {
    auto [previous, next] = x.*Links;
    if (next != nullptr)
      (next->*Links).previous = previous;
    else
      last_ = previous;
    if (previous != nullptr)
      (previous->*Links).next = next;
    else
      first_ = next;
  }

private:
  T* first_ = nullptr;
  T* last_ = nullptr;
};

} // namespace callboard
