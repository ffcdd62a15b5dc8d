#include "child.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

child::child(const std::vector<std::string>& words) {
  int ends[2];
  if (pipe(ends) != 0)
    throw std::runtime_error("cannot make a pipe");
  std::vector<char*> args;
  for (auto& word : words)
    args.push_back(const_cast<char*>(word.c_str()));
  args.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  posix_spawn_file_actions_addclose(&actions, ends[1]);
  auto code = posix_spawn(&pid_, args[0], &actions, nullptr, args.data(),
                          environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  auto in = fdopen(ends[0], "r");
  int port = 0;
  auto found = fscanf(in, "listening on 127.0.0.1:%d", &port);
  fclose(in);
  if (code != 0)
    pid_ = 0;
  if (code != 0 || found != 1)
    throw std::runtime_error(words[0] + " does not listen");
  port_ = static_cast<uint16_t>(port);
}

child::~child() {
  if (pid_ <= 0)
    return;
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
}

std::string child::url(const std::string& path) const {
  return "ws://127.0.0.1:" + std::to_string(port_) + path;
}
