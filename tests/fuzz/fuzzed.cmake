# What the fuzz targets reach of the layers above messages. libFuzzer is clang's,
# which compiles all anew for these targets: whole layers took ten times longer.

find_package(CLI11 2.1 CONFIG REQUIRED)

# callboard_add_fuzzed(LAYER LINK … SOURCES …) adds callboard::LAYER.
function(callboard_add_fuzzed layer)
  cmake_parse_arguments(arg "" "" "LINK;SOURCES" ${ARGN})
  list(TRANSFORM arg_SOURCES PREPEND "${PROJECT_SOURCE_DIR}/${layer}/")
  callboard_make_library(${layer} PUBLIC ${arg_LINK} SOURCES ${arg_SOURCES})
  callboard_add_include_folder(${layer})
endfunction()

callboard_add_include_folder(store)

callboard_add_fuzzed(actors
  LINK callboard::messages
  SOURCES grants.cpp load_options.cpp tenant_space.cpp topic_options.cpp)

callboard_add_fuzzed(net
  LINK callboard::actors CAF::io CAF::openssl Boost::headers OpenSSL::SSL
    OpenSSL::Crypto ZLIB::ZLIB Threads::Threads
  SOURCES admin_options.cpp base64url.cpp client_error.cpp cluster/options.cpp
    http_list.cpp http_page.cpp http_reader.cpp http_reply.cpp http_router.cpp
    http_target.cpp http_upgrade.cpp ip_address.cpp jwks.cpp origins.cpp
    server_options.cpp tls_bio.cpp tls_stream.cpp token_key.cpp
    token_signer.cpp token_verifier.cpp trusted_proxies.cpp url.cpp utf8.cpp
    ws_deflate.cpp ws_error.cpp ws_extensions.cpp ws_frame.cpp ws_framing.cpp
    ws_handshake.cpp ws_parser.cpp ws_parser_delivery.cpp)
# RapidJSON 1.1.0 adds to a null pointer while its stack is still empty.
set_property(SOURCE "${PROJECT_SOURCE_DIR}/net/jwks.cpp"
  "${PROJECT_SOURCE_DIR}/net/token_signer.cpp"
  "${PROJECT_SOURCE_DIR}/net/token_verifier.cpp"
  APPEND PROPERTY COMPILE_OPTIONS -fno-sanitize=pointer-overflow)

file(GLOB sections RELATIVE "${PROJECT_SOURCE_DIR}/cmd" CONFIGURE_DEPENDS
  "${PROJECT_SOURCE_DIR}/cmd/*_sections.cpp"
  "${PROJECT_SOURCE_DIR}/cmd/*_settings.cpp")
callboard_add_fuzzed(cmd
  LINK callboard::net CLI11::CLI11
  SOURCES ${sections} config_file.cpp privileges.cpp serve_config.cpp
    serve_options.cpp setting.cpp settings.cpp text_file.cpp units.cpp)
# CLI11 takes minutes with sanitizers and an optimizer.
target_compile_options(callboard_cmd PRIVATE -O0)
