#include <callboard/messages/topic.hpp>

int main() {
  return callboard::is_pattern("rooms/+") ? 0 : 1;
}
