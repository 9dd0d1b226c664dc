/* A small OpenFX host, written from the public standard, that drives the plugin the way editors do and counts what it is given back.
 *
 *   ofx_host LIBRARY scan TIMES
 *   ofx_host LIBRARY astray     actions at times and with handles that make no sense; prints what each was answered
 *   ofx_host LIBRARY run CONTEXT COMMAND...
 *
 * run commands, in order: depth=byte|short|half|float  components=RGBA|RGB|Alpha  order=RGBA|BGRA (the same with in- before them: the clips that go in, where they differ)
 * size=WxH  bottomup  alpha (it varies)  no=progress|message|timeline|temporal|temporal-said|bar|property|effect|parameter|output  still  stop-after=N
 * lack=SUITE,SLOT (a suite without that function)  disk=stuck|full  fail-from=N (no picture goes in from that one on)
 * broken=data|row|bounds|nobounds|depth|components (pictures that go in)  twice[=thread] (Generate again, during the first)  destroy-after=N (updates of the bar)
 * users-edits (what the plugin sets is called the user's)  garbage=null|bytes (in texts of parameters, and numbers)
 * NAME=TEXT sets a parameter; press=NAME; render=TIME,FILE; render-until=TIME,FILE (until it is no longer the source); identity=TIME; export=TIME,FILE
 * (with begin and end of a sequence that nobody watches); try=TIME (renders, says only the status); pass=TIME (whether the output is the source to the last bit); bench=FIRST,COUNT (times of COUNT frames,
 * each twice); show=NAME prints a parameter; wait-for=NAME waits until it has a text; again makes a new instance with the same parameters.
 * Every line printed is "key value". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 96 };
static int width = 128, height = 72;

typedef struct { char name[96]; int count; char *text[16]; double number[16]; void *pointer; } Property;
typedef struct { Property all[MOST]; int count; } Set;
typedef struct { char name[64]; char type[64]; Set properties; char *text; int integer; double real; } Parameter;
typedef struct { char name[32]; Set properties; } Clip;
typedef struct { Set properties; Parameter parameters[48]; int parameterCount; Clip clips[4]; int clipCount; } Effect;
typedef struct { Set properties; void *memory; } Image;

typedef struct { void *host; const void *(*fetch)(void *, const char *, int); } Host;
typedef struct {
  const char *api; int version; const char *identifier; unsigned major, minor;
  void (*setHost)(Host *); int (*entry)(const char *, const void *, void *, void *);
} Plugin;

typedef struct { const char *depth, *components; int isBgr; } Format;
static Format out = { "byte", "RGBA", 0 }, in = { NULL, NULL, -1 };
static int bottomUp, hasAlpha, exact, noTemporalSaid, noProgress, noMessage, noTimeLine, noTemporal, still, stopAfter = -1;
static int images, fetched, updates, starts, ends, nested, stale;
static Effect *current, *gone;
static const char *disk, *broken, *twice, *garbage;
static int failFrom = -1, destroyAfter = -1, noBar, noOutput, usersEdits;

/* The plugin's writes come here, where the program is linked so that libraries see its functions. */
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
  if (disk && count > 4096 && !strcmp(disk, "stuck")) for (;;) pause();
  if (disk && count > 4096 && !strcmp(disk, "full")) { errno = ENOSPC; return -1; }
  return syscall(SYS_pwrite64, file, bytes, count, offset);
}

/* What the plugin does with an instance that it was told is gone. */
static void expectThere(void *handle) { if (gone && handle >= (void *)gone && handle < (void *)(gone + 1)) stale++; }
static Plugin *plugin;
static Image *shared;

static Property *find(Set *set, const char *name, int make) {
  for (int i = 0; i < set->count; i++) if (!strcmp(set->all[i].name, name)) return &set->all[i];
  if (!make || set->count == MOST) return NULL;
  Property *added = &set->all[set->count++];
  memset(added, 0, sizeof *added);
  snprintf(added->name, sizeof added->name, "%s", name);
  return added;
}

static int setPointer(void *s, const char *n, int i, void *v) { (void)i; Property *p = find(s, n, 1); if (!p) return 9; p->pointer = v; p->count = 1; return 0; }
static int setString(void *s, const char *n, int i, const char *v) {
  Property *p = find(s, n, 1);
  if (!p || i > 15) return 9;
  free(p->text[i]);
  p->text[i] = strdup(v);
  if (p->count <= i) p->count = i + 1;
  return 0;
}
static int setDouble(void *s, const char *n, int i, double v) { Property *p = find(s, n, 1); if (!p || i > 15) return 9; p->number[i] = v; if (p->count <= i) p->count = i + 1; return 0; }
static int setInt(void *s, const char *n, int i, int v) { return setDouble(s, n, i, v); }
static int getPointer(void *s, const char *n, int i, void **v) { (void)i; Property *p = find(s, n, 0); if (!p) return 3; *v = p->pointer; return 0; }
/* What a host returns is valid until the next call only, so the last one's memory is spoilt. */
static char *handed;
static int getString(void *s, const char *n, int i, char **v) {
  Property *p = find(s, n, 0);
  if (!p || i >= p->count || !p->text[i]) return 3;
  if (handed) { memset(handed, '#', strlen(handed)); free(handed); }
  *v = handed = strdup(p->text[i]);
  return 0;
}
static int getDouble(void *s, const char *n, int i, double *v) { Property *p = find(s, n, 0); if (!p || i >= p->count) return 3; *v = p->number[i]; return 0; }
static int getInt(void *s, const char *n, int i, int *v) { Property *p = find(s, n, 0); if (!p || i >= p->count) return 3; *v = (int)p->number[i]; return 0; }
static int none(void) { return 4; }
static int dimension(void *s, const char *n, int *v) { Property *p = find(s, n, 0); if (!p) return 3; *v = p->count; return 0; }

static void *propertySuite[] = { setPointer, setString, setDouble, setInt, none, none, none, none, getPointer, getString, getDouble, getInt, none, none, none, none, none, dimension };

static int effectProperties(Effect *e, Set **set) { expectThere(e); *set = &e->properties; return 0; }
static int effectParameters(Effect *e, Effect **set) { expectThere(e); *set = e; return 0; }
static int clipDefine(Effect *e, const char *name, Set **set) {
  Clip *clip = &e->clips[e->clipCount++];
  snprintf(clip->name, sizeof clip->name, "%s", name);
  if (set) *set = &clip->properties;
  return 0;
}
static int clipHandle(Effect *e, const char *name, Clip **found, Set **set) {
  expectThere(e);
  if (noOutput && !strcmp(name, "Output")) return 9;
  for (int i = 0; i < e->clipCount; i++)
    if (!strcmp(e->clips[i].name, name)) { *found = &e->clips[i]; if (set) *set = &e->clips[i].properties; return 0; }
  return 9;
}
static int clipProperties(Clip *clip, Set **set) { *set = &clip->properties; return 0; }

static Format formatOf(const char *clip) {
  if (!strcmp(clip, "Output")) return out;
  return (Format){ in.depth ? in.depth : out.depth, in.components ? in.components : out.components, in.isBgr < 0 ? out.isBgr : in.isBgr };
}
static int bytes(Format f) { return !strcmp(f.depth, "byte") ? 1 : !strcmp(f.depth, "float") ? 4 : 2; }
static int channels(Format f) { return !strcmp(f.components, "RGBA") ? 4 : !strcmp(f.components, "RGB") ? 3 : 1; }
/* Which value of red, green, blue, alpha (0 to 3) stands at a place of a pixel. */
static int meaning(Format f, int place) { return channels(f) == 1 ? 3 : f.isBgr && place < 3 ? 2 - place : place; }

/* The value, 0 to 255, of a source pixel: rows from the top, so that the order of rows can be told. */
static int value(const char *clip, int time, int x, int fromTop, int channel) {
  if (channel == 3) return hasAlpha ? (x * 7 + fromTop * 3 + 40) & 255 : 255;
  return (x * 3 + fromTop * 5 + (still ? 0 : time * 11) + channel * 60 + (strstr(clip, "To") ? 100 : 0)) & 255;
}
static void store(void *at, float v, Format f) {
  if (bytes(f) == 1) *(uint8_t *)at = (uint8_t)(v * 255 + 0.5f);
  else if (!strcmp(f.depth, "short")) *(uint16_t *)at = (uint16_t)(v * 65535 + 0.5f);
  else if (!strcmp(f.depth, "half")) { _Float16 half = (_Float16)v; memcpy(at, &half, 2); }
  else *(float *)at = v;
}
/* What the output must have where the source is passed through. */
static float passed(int time, int x, int fromTop, int channel) {
  Format from = formatOf("Source");
  int v = channel == 3 && channels(from) == 3 ? 255 : value("Source", time, x, fromTop, channels(from) == 1 ? 3 : channel);
  return strcmp(from.depth, "half") ? v / 255.0f : (float)(_Float16)(v / 255.0f);
}
static const char *depthName(Format f) {
  return !strcmp(f.depth, "byte") ? "OfxBitDepthByte" : !strcmp(f.depth, "short") ? "OfxBitDepthShort" : !strcmp(f.depth, "half") ? "OfxBitDepthHalf" : "OfxBitDepthFloat";
}

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* A value once for all pixels that have it: pictures are large. */
static void paint(uint8_t *lowest, long step, const char *clip, int time, Format format) {
  uint8_t stored[256][4];
  for (int v = 0; v < 256; v++) store(stored[v], v / 255.0f, format);
  int size = bytes(format), count = channels(format);
  for (int c = 0; c < count; c++) {
    int channel = meaning(format, c), across = channel == 3 ? (hasAlpha ? 7 : 0) : 3;
    for (int y = 0; y < height; y++) {
      uint8_t *at = lowest + step * y + c * size;
      int first = value(clip, time, 0, height - 1 - y, channel);
      for (int x = 0; x < width; x++, at += count * size) {
        const uint8_t *from = stored[(first + x * across) & 255];
        if (size == 1) *at = *from;
        else if (size == 2) memcpy(at, from, 2);
        else memcpy(at, from, 4);
      }
    }
  }
}

static double processorTime(clockid_t of) {
  struct timespec now;
  clock_gettime(of, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static double painting, paintingBusy; /* what this host took for the pictures that were fetched */
static int getImage(Clip *clip, double time, void *region, Image **out) {
  (void)region;
  double begun = milliseconds(), busy = processorTime(CLOCK_THREAD_CPUTIME_ID);
  expectThere(clip);
  int isInput = strcmp(clip->name, "Output") != 0;
  if (isInput && failFrom >= 0 && fetched >= failFrom) return 1;
  Property *range = find(&clip->properties, "OfxImageEffectPropFrameRange", 0);
  if (range && strcmp(clip->name, "Output") && (time < range->number[0] || time > range->number[1])) return 1;
  Image *image = calloc(1, sizeof *image);
  Format format = formatOf(clip->name);
  int row = width * channels(format) * bytes(format);
  image->memory = malloc((size_t)row * height);
  memset(image->memory, 0xAB, (size_t)row * height);
  uint8_t *lowest = bottomUp ? (uint8_t *)image->memory + (size_t)row * (height - 1) : image->memory;
  int step = bottomUp ? -row : row;
  if (isInput) paint(lowest, step, clip->name, noTemporal ? 0 : (int)time, format);
  setPointer(&image->properties, "OfxImagePropData", 0, lowest);
  setInt(&image->properties, "OfxImagePropRowBytes", 0, step);
  int bounds[4] = { 0, 0, width, height };
  for (int i = 0; i < 4; i++) { setInt(&image->properties, "OfxImagePropBounds", i, bounds[i]); setInt(&image->properties, "OfxImagePropRegionOfDefinition", i, bounds[i]); }
  setString(&image->properties, "OfxImageEffectPropPixelDepth", 0, depthName(format));
  if (format.isBgr) setString(&image->properties, "OfxImageEffectPropPixelOrder", 0, "OfxImagePixelOrderBGRA");
  char name[64];
  snprintf(name, sizeof name, "OfxImageComponent%s", format.components);
  setString(&image->properties, "OfxImageEffectPropComponents", 0, name);
  if (isInput && broken) {
    if (!strcmp(broken, "data")) setPointer(&image->properties, "OfxImagePropData", 0, NULL);
    if (!strcmp(broken, "row")) setInt(&image->properties, "OfxImagePropRowBytes", 0, 0);
    if (!strcmp(broken, "bounds")) setInt(&image->properties, "OfxImagePropBounds", 2, 0);
    if (!strcmp(broken, "nobounds")) find(&image->properties, "OfxImagePropBounds", 0)->count = 0;
    if (!strcmp(broken, "depth")) setString(&image->properties, "OfxImageEffectPropPixelDepth", 0, "OfxBitDepthNone");
    if (!strcmp(broken, "components")) find(&image->properties, "OfxImageEffectPropComponents", 0)->count = 0;
  }
  images++;
  fetched++;
  *out = image;
  painting += milliseconds() - begun;
  paintingBusy += processorTime(CLOCK_THREAD_CPUTIME_ID) - busy;
  return 0;
}
static void forget(Set *set) { for (int i = 0; i < set->count; i++) for (int k = 0; k < 16; k++) free(set->all[i].text[k]); }
static int releaseImage(Image *image) {
  double begun = milliseconds(), busy = processorTime(CLOCK_THREAD_CPUTIME_ID);
  images--;
  forget(&image->properties);
  free(image->memory);
  free(image);
  painting += milliseconds() - begun;
  paintingBusy += processorTime(CLOCK_THREAD_CPUTIME_ID) - busy;
  return 0;
}
static int aborted(void *e) { expectThere(e); return 0; }

static void *effectSuite[] = { effectProperties, effectParameters, clipDefine, clipHandle, clipProperties, getImage, releaseImage, none, aborted, none, none, none, none };

static Parameter *parameter(Effect *e, const char *name) { for (int i = 0; i < e->parameterCount; i++) if (!strcmp(e->parameters[i].name, name)) return &e->parameters[i]; return NULL; }
static int define(Effect *e, const char *type, const char *name, Set **set) {
  Parameter *p = &e->parameters[e->parameterCount++];
  snprintf(p->name, sizeof p->name, "%s", name);
  snprintf(p->type, sizeof p->type, "%s", type);
  if (set) *set = &p->properties;
  return 0;
}
static int parameterHandle(Effect *e, const char *name, Parameter **found, Set **set) { expectThere(e); *found = parameter(e, name); if (!*found) return 3; if (set) *set = &(*found)->properties; return 0; }
static int parameterProperties(Parameter *p, Set **set) { *set = &p->properties; return 0; }
static char *handedText;
static int getValue(Parameter *p, ...) {
  va_list rest;
  va_start(rest, p);
  if (garbage) {
    if (strstr(p->type, "String")) *va_arg(rest, const char **) = !strcmp(garbage, "null") ? NULL : "\x80\xff%s\xc3(\xf5";
    else if (strstr(p->type, "Double")) *va_arg(rest, double *) = NAN;
    else *va_arg(rest, int *) = INT_MIN;
  } else if (strstr(p->type, "String")) {
    if (handedText) { memset(handedText, '#', strlen(handedText)); free(handedText); }
    *va_arg(rest, char **) = handedText = strdup(p->text ? p->text : "");
  } else if (strstr(p->type, "Double")) *va_arg(rest, double *) = p->real;
  else *va_arg(rest, int *) = p->integer;
  va_end(rest);
  return 0;
}
static void changed(const char *name, const char *reason, double time);
static int setValue(Parameter *p, ...) {
  va_list rest;
  va_start(rest, p);
  if (strstr(p->type, "String")) { free(p->text); p->text = strdup(va_arg(rest, char *)); }
  else if (strstr(p->type, "Double")) p->real = va_arg(rest, double);
  else p->integer = va_arg(rest, int);
  va_end(rest);
  nested++;
  changed(p->name, usersEdits ? "OfxChangeUserEdited" : "OfxChangePluginEdited", 0);
  return 0;
}

static void *parameterSuite[] = { define, parameterHandle, none, parameterProperties, getValue, none, none, none, setValue, none, none, none, none, none, none, none, none, none };

static int progressStart(void *e, const char *text, const char *id) {
  (void)id;
  expectThere(e);
  if (noBar) return 1;
  starts++;
  printf("progress %s\n", text);
  return 0;
}
static void *pressAgain(void *unused) { changed("generate", "OfxChangeUserEdited", 7); return unused; }
static void destroy(void);
static int progressUpdate(void *e, double done) {
  (void)done;
  expectThere(e);
  updates++;
  if (twice && updates == 2) {
    pthread_t other;
    if (strcmp(twice, "thread")) pressAgain(NULL);
    else if (!pthread_create(&other, NULL, pressAgain, NULL)) pthread_join(other, NULL);
  }
  /* Its bar goes with it. */
  if (updates == destroyAfter) { destroy(); ends++; }
  return stopAfter >= 0 && updates > stopAfter ? 13 : 0;
}
static int progressEnd(void *e) { expectThere(e); ends++; return 0; }
static void *progressSuite[] = { progressStart, progressUpdate, progressEnd };
static int message(void *e, const char *type, const char *id, const char *format, ...) {
  (void)type; (void)id;
  expectThere(e);
  va_list rest;
  va_start(rest, format);
  printf("message ");
  vprintf(format, rest);
  printf("\n");
  va_end(rest);
  return 0;
}
static void *messageSuite[] = { message, none, none };
static int getTime(void *e, double *time) { (void)e; *time = 7; return 0; }
static int bounds(void *e, double *first, double *last) { expectThere(e); *first = 0; *last = 25; return 0; }
static void *timeLineSuite[] = { getTime, none, bounds };

static int noProperty, noEffect, noParameter;
static const void *fetch(void *host, const char *suite, int version) {
  (void)host;
  if (!strcmp(suite, "OfxPropertySuite") && version == 1) return noProperty ? NULL : propertySuite;
  if (!strcmp(suite, "OfxImageEffectSuite") && version == 1) return noEffect ? NULL : effectSuite;
  if (!strcmp(suite, "OfxParameterSuite") && version == 1) return noParameter ? NULL : parameterSuite;
  if (!strcmp(suite, "OfxProgressSuite") && !noProgress) return progressSuite;
  if (!strcmp(suite, "OfxMessageSuite") && !noMessage) return messageSuite;
  if (!strcmp(suite, "OfxTimeLineSuite") && !noTimeLine) return timeLineSuite;
  return NULL;
}

static Set hostProperties;
static Host host = { &hostProperties, fetch };

static int act(const char *action, const void *handle, Set *in, Set *out) { return plugin->entry(action, handle, in, out); }

static void changed(const char *name, const char *reason, double time) {
  Set in = { .count = 0 };
  setString(&in, "OfxPropType", 0, "OfxTypeParameter");
  setString(&in, "OfxPropName", 0, name);
  setString(&in, "OfxPropChangeReason", 0, reason);
  setDouble(&in, "OfxPropTime", 0, time);
  act("OfxActionInstanceChanged", current, &in, NULL);
  forget(&in);
}

static void lack(char *suite, int slot) {
  struct { const char *name; void **functions; } all[] = {
    { "property", propertySuite }, { "effect", effectSuite }, { "parameter", parameterSuite }, { "progress", progressSuite }, { "message", messageSuite }, { "timeline", timeLineSuite },
  };
  for (int i = 0; i < 6; i++) if (!strcmp(all[i].name, suite)) all[i].functions[slot] = NULL;
}

static void destroy(void) {
  if (gone == current) return;
  act("OfxActionDestroyInstance", current, NULL, NULL);
  gone = current;
}

static Effect *describe(const char *context) {
  Effect *effect = calloc(1, sizeof *effect);
  if (act("OfxActionDescribe", effect, NULL, NULL) != 0) { printf("failed describe\n"); exit(1); }
  Set in = { .count = 0 };
  char name[64];
  snprintf(name, sizeof name, "OfxImageEffectContext%s", context);
  setString(&in, "OfxImageEffectPropContext", 0, name);
  if (act("OfxImageEffectActionDescribeInContext", effect, &in, NULL) != 0) { printf("failed describe in %s\n", context); exit(1); }
  forget(&in);
  return effect;
}

static Effect *instantiate(const char *context) {
  Effect *effect = describe(context);
  char name[64];
  snprintf(name, sizeof name, "OfxImageEffectContext%s", context);
  setString(&effect->properties, "OfxImageEffectPropContext", 0, name);
  setDouble(&effect->properties, "OfxImageEffectPropProjectSize", 0, width);
  setDouble(&effect->properties, "OfxImageEffectPropProjectSize", 1, height);
  setDouble(&effect->properties, "OfxImageEffectPropProjectPixelAspectRatio", 0, 1);
  setDouble(&effect->properties, "OfxImageEffectPropFrameRate", 0, 24000.0 / 1001);
  setDouble(&effect->properties, "OfxImageEffectInstancePropEffectDuration", 0, 26);
  for (int i = 0; i < effect->clipCount; i++) {
    Clip *clip = &effect->clips[i];
    setInt(&clip->properties, "OfxImageClipPropConnected", 0, 1);
    setString(&clip->properties, "OfxImageEffectPropPixelDepth", 0, depthName(formatOf(clip->name)));
    if (!strcmp(clip->name, "SourceFrom")) { setDouble(&clip->properties, "OfxImageEffectPropFrameRange", 0, -20); setDouble(&clip->properties, "OfxImageEffectPropFrameRange", 1, 25); }
    if (!strcmp(clip->name, "SourceTo")) { setDouble(&clip->properties, "OfxImageEffectPropFrameRange", 0, 0); setDouble(&clip->properties, "OfxImageEffectPropFrameRange", 1, 60); }
    if (!strcmp(clip->name, "Source")) { setDouble(&clip->properties, "OfxImageEffectPropFrameRange", 0, 0); setDouble(&clip->properties, "OfxImageEffectPropFrameRange", 1, 25); }
  }
  for (int i = 0; i < effect->parameterCount; i++) {
    Parameter *p = &effect->parameters[i];
    Property *value = find(&p->properties, "OfxParamPropDefault", 0);
    if (value) p->integer = (int)value->number[0];
  }
  if (act("OfxActionCreateInstance", effect, NULL, NULL) != 0) { printf("failed create\n"); exit(1); }
  return effect;
}

static double took, processor;
static int isMeasured;

/* Renders into a file; says whether the picture is the source's. */
static int render(double time, const char *path, int interactive) {
  Set given = { .count = 0 };
  setDouble(&given, "OfxPropTime", 0, time);
  setInt(&given, "OfxPropIsInteractive", 0, interactive);
  if (!interactive && act("OfxImageEffectActionBeginSequenceRender", current, &given, NULL) != 0) printf("failed begin\n");
  /* The plugin fetches the output's picture; it is kept here to be looked at, as a host does. */
  Clip *output = NULL;
  clipHandle(current, "Output", &output, NULL);
  Image *target;
  getImage(output, time, NULL, &target);
  fetched--;
  shared = target;
  struct timespec begin, end, began, ended;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &began);
  int status = act("OfxImageEffectActionRender", current, &given, NULL);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ended);
  clock_gettime(CLOCK_MONOTONIC, &end);
  processor = (ended.tv_sec - began.tv_sec) * 1e3 + (ended.tv_nsec - began.tv_nsec) / 1e6;
  took = (end.tv_sec - begin.tv_sec) * 1e3 + (end.tv_nsec - begin.tv_nsec) / 1e6;
  shared = NULL;
  if (!interactive && act("OfxImageEffectActionEndSequenceRender", current, &given, NULL) != 0) printf("failed end\n");
  forget(&given);
  if (status != 0) printf("failed render %d\n", status);
  if (path) printf("rendered %s %.2f ms\n", path, took);
  int row = width * channels(out) * bytes(out);
  int isBlank = 1;
  exact = 1;
  FILE *file = path ? fopen(path, "wb") : NULL;
  for (int y = 0; y < height && !isMeasured; y++) {
    uint8_t *line = (uint8_t *)target->memory + (size_t)row * (bottomUp ? y : height - 1 - y);
    if (file) fwrite(line, 1, row, file);
    for (int x = 0; x < width; x++)
      for (int c = 0; c < channels(out); c++) {
        uint8_t expected[4] = { 0 };
        store(expected, passed(noTemporal ? 0 : (int)time, x, y, meaning(out, c)), out);
        if (memcmp(line + (x * channels(out) + c) * bytes(out), expected, bytes(out))) exact = 0;
      }
    for (int i = 0; i < row; i++) if (line[i]) isBlank = 0;
  }
  if (file) fclose(file);
  releaseImage(target);
  return exact || isBlank;
}

static int ascending(const void *a, const void *b) { return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b; }

/* Nothing of a frame but its file's pages is in memory when it is rendered first; a second time it is mapped as well. */
static void bench(int firstFrame, int frames) {
  isMeasured = 1;
  for (int again = 0; again < 2; again++) {
    double *times = calloc(frames, sizeof *times), *busy = calloc(frames, sizeof *busy);
    for (int i = 0; i < frames; i++) { render(firstFrame + i, NULL, 1); times[i] = took; busy[i] = processor; }
    qsort(times, frames, sizeof *times, ascending);
    qsort(busy, frames, sizeof *busy, ascending);
    printf("bench %s %.2f ms median %.2f ms best %.2f ms of the processor %.2f ms best\n", again ? "again" : "first", times[frames / 2], times[0], busy[frames / 2], busy[0]);
    free(times);
    free(busy);
  }
  isMeasured = 0;
}

/* The picture that is rendered into is the host's: what the plugin fetches is a view of it. */
static int getView(Clip *clip, double time, void *region, Image **out) {
  if (!shared || strcmp(clip->name, "Output")) return getImage(clip, time, region, out);
  Image *view = calloc(1, sizeof *view);
  for (int i = 0; i < shared->properties.count; i++) {
    Property *p = &shared->properties.all[i];
    view->properties.all[i] = *p;
    for (int k = 0; k < 16; k++) if (p->text[k]) view->properties.all[i].text[k] = strdup(p->text[k]);
  }
  view->properties.count = shared->properties.count;
  images++;
  fetched++;
  *out = view;
  return 0;
}

static void *open(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) { printf("failed %s\n", dlerror()); exit(1); }
  int (*count)(void) = (int (*)(void))dlsym(library, "OfxGetNumberOfPlugins");
  Plugin *(*get)(int) = (Plugin * (*)(int)) dlsym(library, "OfxGetPlugin");
  int (*set)(Host *) = (int (*)(Host *))dlsym(library, "OfxSetHost");
  if (set && set(&host) != 0) { printf("failed OfxSetHost\n"); exit(1); }
  if (count() != 1 || get(1) || get(-1)) { printf("failed count\n"); exit(1); }
  plugin = get(0);
  plugin->setHost(&host);
  int loaded = act("OfxActionLoad", NULL, NULL, NULL);
  if (loaded != 0) { printf("load %d\n", loaded); exit(loaded); }
  return library;
}

static void answered(const char *action, const void *handle, Set *in, const char *when) { printf("%s %s %d\n", when, action, act(action, handle, in, NULL)); }

static void astray(const char *path) {
  const char *actions[] = {
    "OfxActionDescribe", "OfxImageEffectActionDescribeInContext", "OfxActionCreateInstance", "OfxActionInstanceChanged", "OfxImageEffectActionRender", "OfxImageEffectActionIsIdentity",
    "OfxImageEffectActionBeginSequenceRender", "OfxImageEffectActionGetClipPreferences", "OfxActionSyncPrivateData", "OfxActionDestroyInstance", "OfxActionPurgeCaches", "NoSuchAction", "",
  };
  int count = sizeof actions / sizeof *actions;
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) { printf("failed %s\n", dlerror()); exit(1); }
  plugin = ((Plugin * (*)(int)) dlsym(library, "OfxGetPlugin"))(0);
  Effect *effect = calloc(1, sizeof *effect);
  /* Nobody has said who the host is. */
  for (int i = 0; i < count; i++) answered(actions[i], effect, NULL, "without-host");
  answered("OfxActionUnload", NULL, NULL, "without-host");
  answered("OfxActionLoad", NULL, NULL, "without-host");
  plugin->setHost(NULL);
  answered("OfxActionLoad", NULL, NULL, "no-host");
  Host mute = { NULL, NULL };
  plugin->setHost(&mute);
  answered("OfxActionLoad", NULL, NULL, "mute-host");
  plugin->setHost(&host);
  answered("OfxActionDescribe", effect, NULL, "not-loaded");
  answered("OfxActionLoad", NULL, NULL, "loaded");
  printf("nothing %d\n", act(NULL, effect, NULL, NULL));
  for (int i = 0; i < count; i++) answered(actions[i], NULL, NULL, "no-handle");
  Set in = { .count = 0 };
  setString(&in, "OfxImageEffectPropContext", 0, "OfxImageEffectContextPaint");
  answered("OfxImageEffectActionDescribeInContext", effect, &in, "paint");
  setString(&effect->properties, "OfxImageEffectPropContext", 0, "OfxImageEffectContextPaint");
  answered("OfxActionCreateInstance", effect, NULL, "paint");
  current = instantiate("Filter");
  /* Without what they are about. */
  for (int i = 3; i < count; i++) if (strcmp(actions[i], "OfxActionDestroyInstance")) answered(actions[i], current, NULL, "no-arguments");
  answered("OfxActionCreateInstance", current, NULL, "again");
  answered("OfxActionUnload", NULL, NULL, "unloaded");
  answered("OfxActionUnload", NULL, NULL, "unloaded");
  answered("OfxActionSyncPrivateData", current, NULL, "unloaded");
  destroy();
  answered("OfxActionDestroyInstance", gone, NULL, "destroyed");
  answered("OfxActionUnload", NULL, NULL, "unloaded");
  dlclose(library);
  printf("stale %d\n", stale);
}

static const char *contexts[] = { "Generator", "Filter", "Transition", "General" };

static void scan(const char *path, int times) {
  for (int i = 0; i < times; i++) {
    void *library = open(path);
    for (int k = 0; k < 4; k++) {
      Effect *effect = describe(contexts[k]);
      if (i == 0) printf("context %s %d clips %d parameters\n", contexts[k], effect->clipCount, effect->parameterCount);
      free(effect);
    }
    if (i == 0) printf("plugin %s %s %d\n", plugin->api, plugin->identifier, plugin->version);
    if (act("OfxActionUnload", NULL, NULL, NULL) != 0) printf("failed unload\n");
    if (act("NoSuchAction", NULL, NULL, NULL) != 14) printf("failed unknown action\n");
    dlclose(library);
    usleep(20000);
  }
  printf("scanned %d\n", times);
}

static void press(const char *name) {
  Set in = { .count = 0 };
  setString(&in, "OfxPropChangeReason", 0, "OfxChangeUserEdited");
  act("OfxActionBeginInstanceChanged", current, &in, NULL);
  painting = paintingBusy = 0;
  double begun = milliseconds(), busy = processorTime(CLOCK_PROCESS_CPUTIME_ID);
  changed(name, "OfxChangeUserEdited", 7);
  double took = milliseconds() - begun;
  busy = processorTime(CLOCK_PROCESS_CPUTIME_ID) - busy - paintingBusy;
  act("OfxActionEndInstanceChanged", current, &in, NULL);
  forget(&in);
  printf("pressed %s %.1f ms %.1f of them the host's own pictures %.1f of the processor without those\n", name, took, painting, busy);
}

/* What pictures are like; may change from one command to the next. */
static int layout(const char *word, char *value) {
  Format *format = strncmp(word, "in-", 3) ? &out : &in;
  if (format == &in) word += 3;
  if (!strcmp(word, "depth")) format->depth = value;
  else if (!strcmp(word, "components")) format->components = value;
  else if (!strcmp(word, "order")) format->isBgr = !strcmp(value, "BGRA");
  else if (!strcmp(word, "alpha")) hasAlpha = 1;
  else return 0;
  return 1;
}

static void command(char *word, const char *context) {
  char *value = strchr(word, '=');
  if (value) *value++ = 0;
  double time = value ? atof(value) : 0;
  char *path = value ? strchr(value, ',') : NULL;
  if (path) path++;
  if (!strcmp(word, "press")) press(value);
  else if (layout(word, value)) return;
  else if (!strcmp(word, "try")) {
    Set given = { .count = 0 };
    setDouble(&given, "OfxPropTime", 0, time);
    printf("tried %d\n", act("OfxImageEffectActionRender", current, &given, NULL));
    forget(&given);
  } else if (!strcmp(word, "pass")) { render(time, NULL, 1); printf("passed %d\n", exact); }
  else if (!strcmp(word, "bench")) bench((int)time, path ? atoi(path) : 10);
  else if (!strcmp(word, "render")) printf("source %d\n", render(time, path, 1));
  else if (!strcmp(word, "export")) printf("source %d\n", render(time, path, 0));
  else if (!strcmp(word, "render-until")) {
    int tries = 0;
    while (render(time, NULL, 1) && tries++ < 1200) usleep(50000);
    printf("source %d\n", render(time, path, 1));
  } else if (!strcmp(word, "identity")) {
    Set in = { .count = 0 }, out = { .count = 0 };
    setDouble(&in, "OfxPropTime", 0, time);
    int status = act("OfxImageEffectActionIsIdentity", current, &in, &out);
    Property *name = find(&out, "OfxPropName", 0);
    printf("identity %d %s\n", status, name ? name->text[0] : "-");
  } else if (!strcmp(word, "show")) {
    Parameter *p = parameter(current, value);
    if (!p) printf("%s -\n", value);
    else if (strstr(p->type, "String")) printf("%s %s\n", value, p->text ? p->text : "");
    else printf("%s %d\n", value, p->integer);
  } else if (!strcmp(word, "sync")) act("OfxActionSyncPrivateData", current, NULL, NULL);
  else if (!strcmp(word, "wait-for")) {
    /* As editors do it: what is written into a project is asked for before it is saved. */
    Parameter *p = parameter(current, value);
    for (int tries = 0; tries < 2400 && (!p->text || !p->text[0]); tries++) { act("OfxActionSyncPrivateData", current, NULL, NULL); usleep(50000); }
    printf("%s %s\n", value, p->text ? p->text : "");
  } else if (!strcmp(word, "again")) {
    Effect *old = current;
    Effect *fresh = instantiate(context);
    /* A project that is opened again has its parameters before the instance is made. */
    for (int i = 0; i < old->parameterCount; i++) { fresh->parameters[i].text = old->parameters[i].text; fresh->parameters[i].integer = old->parameters[i].integer; fresh->parameters[i].real = old->parameters[i].real; }
    act("OfxActionDestroyInstance", old, NULL, NULL);
    if (value && !strcmp(value, "loaded")) { act("OfxActionUnload", NULL, NULL, NULL); act("OfxActionLoad", NULL, NULL, NULL); }
    current = fresh;
  } else {
    Parameter *p = parameter(current, word);
    if (!p) { printf("failed no parameter %s\n", word); exit(1); }
    if (strstr(p->type, "String")) { free(p->text); p->text = strdup(value); }
    else if (strstr(p->type, "Double")) p->real = time;
    else p->integer = atoi(value);
  }
}

int main(int count, char **words) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  effectSuite[5] = getView;
  setString(&hostProperties, "OfxPropName", 0, "org.editorbridge.testhost");
  setString(&hostProperties, "OfxPropLabel", 0, "Test host");
  if (count == 4 && !strcmp(words[2], "scan")) { scan(words[1], atoi(words[3])); return 0; }
  if (count == 3 && !strcmp(words[2], "astray")) { astray(words[1]); return 0; }
  if (count < 4) return 2;
  int first = 4;
  for (; first < count; first++) {
    char *word = words[first];
    char *mark = strchr(word, '='), name[32] = "";
    snprintf(name, sizeof name, "%.*s", mark ? (int)(mark - word) : (int)strlen(word), word);
    if (layout(name, mark ? mark + 1 : NULL)) continue;
    if (!strncmp(word, "size=", 5)) sscanf(word + 5, "%dx%d", &width, &height);
    else if (!strcmp(word, "bottomup")) bottomUp = 1;
    else if (!strcmp(word, "no=progress")) noProgress = 1;
    else if (!strcmp(word, "no=message")) noMessage = 1;
    else if (!strcmp(word, "no=timeline")) noTimeLine = 1;
    else if (!strcmp(word, "no=temporal")) noTemporal = 1;
    else if (!strcmp(word, "no=temporal-said")) noTemporal = noTemporalSaid = 1;
    else if (!strcmp(word, "no=bar")) noBar = 1;
    else if (!strcmp(word, "no=property")) noProperty = 1;
    else if (!strcmp(word, "no=effect")) noEffect = 1;
    else if (!strcmp(word, "no=parameter")) noParameter = 1;
    else if (!strcmp(word, "no=output")) noOutput = 1;
    else if (!strncmp(word, "lack=", 5)) { char *slot = strchr(word, ','); *slot++ = 0; lack(word + 5, atoi(slot)); }
    else if (!strncmp(word, "disk=", 5)) disk = word + 5;
    else if (!strncmp(word, "fail-from=", 10)) failFrom = atoi(word + 10);
    else if (!strncmp(word, "broken=", 7)) broken = word + 7;
    else if (!strncmp(word, "twice", 5)) twice = word[5] ? word + 6 : "";
    else if (!strncmp(word, "destroy-after=", 14)) destroyAfter = atoi(word + 14);
    else if (!strcmp(word, "users-edits")) usersEdits = 1;
    else if (!strncmp(word, "garbage=", 8)) garbage = word + 8;
    else if (!strcmp(word, "still")) still = 1;
    else if (!strncmp(word, "stop-after=", 11)) stopAfter = atoi(word + 11);
    else break;
  }
  if (!noTemporalSaid) setInt(&hostProperties, "OfxImageEffectPropTemporalClipAccess", 0, !noTemporal);
  void *library = open(words[1]);
  current = instantiate(words[3]);
  for (int i = first; i < count; i++) command(words[i], words[3]);
  destroy();
  act("OfxActionUnload", NULL, NULL, NULL);
  dlclose(library);
  printf("updates %d\n", updates);
  printf("stale %d\n", stale);
  printf("images %d of %d not given back\n", images, fetched);
  printf("progress-bars %d begun %d ended\n", starts, ends);
  return 0;
}
