#!/usr/bin/env bash
# Builds CAF once into the user's cache and prints the folder that holds it.
#
#   cmake/caf.sh [release|tsan]
#
# The folder's name carries a key made of the version, the compiler and the
# flags, so a change of any of them builds anew and never mixes. The build
# appears under its name in one step, so an interrupted build leaves nothing
# that looks finished, and a lock lets two runs share one build.
#
# The source is Debian's (suite experimental), fetched from the mirror that
# this machine's apt uses. The system's own lists and sources stay untouched.
#
# Two things are repaired in its TLS:
#
# - OpenSSL keeps errors in a queue of the thread, and SSL_get_error takes any
#   that is there for one of the call before. CAF never empties it, so one
#   connection that ends badly lets others fail (SSL_get_error(3): the queue
#   must be empty before the operation).
# - The files of certificates are read for each connection. If they do not go
#   together just then, CAF throws, which nobody catches where a connection is
#   taken: the process ends. It is one connection that fails now.
set -euo pipefail

version=0.18.7
sha256=d5c3abe8fd67a729aab1baeece10367637d903ba335f4c79378bcadfbcd34552
tarball=actor-framework_$version.orig.tar.gz
variant=${1:-release}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/callboard

say() { printf '%s\n' "$*" >&2; }
die() { say "callboard: $*"; exit 1; }

case $variant in
  release) flags="-O2 -w" ;;
  tsan) flags="-O1 -g1 -w -fsanitize=thread -fno-omit-frame-pointer" ;;
  *) die "cmake/caf.sh takes 'release' or 'tsan', not '$variant'" ;;
esac

options=(
  -DCMAKE_BUILD_TYPE=None
  "-DCMAKE_CXX_FLAGS=$flags"
  -DCMAKE_POSITION_INDEPENDENT_CODE=ON
  -DCMAKE_INSTALL_LIBDIR=lib
  -DBUILD_SHARED_LIBS=OFF
  -DCAF_ENABLE_OPENSSL_MODULE=ON
  -DCAF_ENABLE_TESTING=OFF
  -DCAF_ENABLE_TOOLS=OFF
  -DCAF_ENABLE_EXAMPLES=OFF
)

# In libcaf_openssl/src/openssl: before each operation, where a session is made,
# and where there is none for a socket.
repair='s/^  CAF_IGNORE_UNUSED(debug_name);/&\n  ERR_clear_error();/
s/^  SSL_set_fd(ssl_, fd);/  ERR_clear_error();\n&/
s/^  ctx_ = create_ssl_context();/  try {\n    create_ssl_context();\n  }/
s/^  ssl_ = SSL_new(ctx_);/  catch (const std::exception\&) { return false; }\n&/
s/^  auto ctx = SSL_CTX_new(/  auto ctx = ctx_ = SSL_CTX_new(/
s/^    if (!sssn) {/&\n      io::network::close_socket(*fd);/'

compiler=${CXX:-c++}
key=$({ echo "$version" "${options[@]}" "$repair"
        "$compiler" --version | head -n 1; } | sha256sum | cut -c 1-12)
prefix=$cache/caf-$version-$key

if [ -e "$prefix/lib/cmake/CAF/CAFConfig.cmake" ]; then
  echo "$prefix"
  exit 0
fi

# Prints the address of the mirror that serves this machine's Debian packages.
mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
    'Label: Debian' 2>/dev/null | awk 'NR == 1'
}

# Leaves the source, checked, in the cache. $1: a scratch folder.
fetch() {
  local apt=$1/apt uri keyring signed="" options
  uri=$(mirror)
  [ -n "$uri" ] || die "apt knows no Debian mirror: run 'apt-get update', or" \
    "set CAF_ROOT to an installed CAF >= $version"
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ ! -e "$keyring" ] || signed="[signed-by=$keyring] "
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
  echo "deb-src ${signed}$uri experimental main" >"$apt/sources.list"
  options=(
    -q -o "Dir::Etc::SourceList=$apt/sources.list"
    -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$apt/lists"
    -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User="$(id -un)"
  )
  (cd "$1" && apt-get "${options[@]}" update &&
    apt-get "${options[@]}" source --download-only --tar-only \
      actor-framework/experimental) >&2 ||
    die "could not fetch CAF's source from the mirror's suite experimental;" \
      "set CAF_ROOT to an installed CAF >= $version"
  [ -e "$1/$tarball" ] || die "suite experimental holds another CAF than" \
    "$version; set CAF_ROOT to an installed CAF >= $version"
  echo "$sha256  $1/$tarball" | sha256sum --check --quiet >&2 ||
    die "the source of CAF $version has the wrong checksum"
  mv "$1/$tarball" "$cache/$tarball"
}

mkdir -p "$cache"
exec 9>"$cache/.lock-$key"
flock --nonblock 9 || { say "waiting for another build of CAF"; flock 9; }
if [ -e "$prefix/lib/cmake/CAF/CAFConfig.cmake" ]; then
  echo "$prefix"
  exit 0
fi

scratch=$(mktemp -d "$cache/.caf-build-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
if ! echo "$sha256  $cache/$tarball" | sha256sum --check --status 2>/dev/null
then
  say "fetching the source of CAF $version"
  fetch "$scratch"
fi

say "building CAF $version ($variant), once, into $prefix"
mkdir "$scratch/source"
tar -xzf "$cache/$tarball" -C "$scratch/source" --strip-components 1
tls=$scratch/source/libcaf_openssl/src/openssl
sed -i "$repair" "$tls/session.cpp" "$tls/middleman_actor.cpp"
repaired='ERR_clear_error|catch \(|ctx_ = SSL_CTX_new|close_socket\(\*fd\)'
[ "$(cat "$tls"/*.cpp | grep -cE "$repaired")" -eq 7 ] ||
  die "CAF's TLS is not what was to be repaired"
log=$scratch/log
quiet=()
[ -t 2 ] || quiet=(--quiet)
cmake -S "$scratch/source" -B "$scratch/build" -G Ninja \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_INSTALL_PREFIX="$prefix" \
  "${options[@]}" >"$log" 2>&1 ||
  { cat "$log" >&2; die "CAF did not configure; see above"; }
ninja -C "$scratch/build" "${quiet[@]}" >&2 ||
  die "CAF did not build; see above"
DESTDIR=$scratch/stage cmake --install "$scratch/build" >"$log" 2>&1 ||
  { cat "$log" >&2; die "CAF did not install; see above"; }
rm -rf "$prefix"
mv "$scratch/stage$prefix" "$prefix"
echo "$prefix"
