/* The memory of nodes: blocks of places, of which new nodes take the free ones in order of address.
 *
 * So the nodes of a graph lie in memory in the order in which they were made, whatever the order was
 * in which the last graph was freed. The processor loads memory ahead in such an order, and a node
 * of a large graph takes about as long as one of a small graph. A list of free places, used last in,
 * first out, would be in a more random order after each graph.
 *
 * A node of a subclass lies elsewhere, where Python allocates it.
 */

typedef struct {
    void *header[2]; /* of the garbage collector, before each object; empty if it is not tracked */
    Node node;
} Place;

#define WORDS 16
#define PLACES (64 * WORDS)

typedef struct Block {
    struct Block *next, *previous; /* in the list of blocks that have room */
    int room;                      /* how many places are free */
    uint64_t free[WORDS];          /* a bit for each place */
    Place places[PLACES];
} Block;

static int header_fits;       /* whether objects have such a header: not in Python without a GIL */
static Block *roomy = NULL;   /* the blocks that have room; nodes are made in the first */
static int word = 0;          /* where in that block a free place is looked for */
static Py_ssize_t unused = 0; /* how many blocks have no node */
#define MOST_UNUSED 1300      /* 125 MB: the next graph finds the memory of the last one at hand */

static void link_block(Block *block)
{
    block->next = roomy;
    block->previous = NULL;
    if (roomy)
        roomy->previous = block;
    roomy = block;
    word = 0;
}

static void unlink_block(Block *block)
{
    if (block->next)
        block->next->previous = block->previous;
    if (block->previous)
        block->previous->next = block->next;
    else {
        roomy = block->next;
        word = 0;
    }
}

static int add_block(void)
{
    Block *block = PyMem_RawMalloc(sizeof(Block));
    if (block == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    block->room = PLACES;
    memset(block->free, 0xff, sizeof(block->free));
    link_block(block);
    unused++;
    return 0;
}

static inline int lowest_bit(uint64_t bits)
{
#ifdef __GNUC__
    return __builtin_ctzll(bits);
#else
    int i = 0;
    while (!(bits >> i & 1))
        i++;
    return i;
#endif
}

/* Return memory for a node, or NULL after an error. */
static inline Node *take_place(void)
{
    if (roomy == NULL && add_block() < 0)
        return NULL;
    Block *block = roomy;
    while (block->free[word] == 0)
        word = (word + 1) % WORDS;
    int i = 64 * word + lowest_bit(block->free[word]);
    block->free[word] &= block->free[word] - 1;
    if (block->room-- == PLACES)
        unused--;
    if (block->room == 0)
        unlink_block(block);
    Place *place = &block->places[i];
    place->header[0] = place->header[1] = NULL;
    place->node.place = (uint16_t)(i + 1);
    return &place->node;
}

/* Take back the memory of a node that lies in a block. */
static inline void give_back(Node *node)
{
    int i = node->place - 1;
    Place *place = (Place *)((char *)node - offsetof(Place, node));
    Block *block = (Block *)((char *)(place - i) - offsetof(Block, places));
    block->free[i / 64] |= (uint64_t)1 << i % 64;
    if (block->room++ == 0)
        link_block(block);
    if (block->room < PLACES)
        return;
    if (unused < MOST_UNUSED)
        unused++;
    else {
        unlink_block(block);
        PyMem_RawFree(block);
    }
}
